"""A Stripe to try everything on. Its answers are simulated: shapes are Stripe's, behaviour is our reading of it."""
