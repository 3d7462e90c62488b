"""What ties tracing to other libraries, a module each: import the one that you use."""
