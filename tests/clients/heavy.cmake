# The clients that are large to install: pinward_client_test(heavy <timeout in seconds> <name>...).
