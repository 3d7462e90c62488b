"""What is measured, each in the process of one tracer: a task prints what it found as JSON."""
