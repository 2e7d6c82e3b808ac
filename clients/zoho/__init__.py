"""Zoho Inventory: one client per organisation, its token shared by all workers."""
