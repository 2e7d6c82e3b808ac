"""What the doctor looks at: one module for each thing we depend on."""
