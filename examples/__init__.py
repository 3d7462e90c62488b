"""Agents to read and to run; what each needs beside this library stands at its top."""
