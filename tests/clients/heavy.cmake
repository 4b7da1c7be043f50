# The clients that are large to install: pinward_client_test(heavy <timeout in seconds> <name>...).
pinward_client_test(heavy 300 chromium firefox go java libreoffice openvpn)
pinward_client_test_isolated(heavy 300 chromium firefox go java libreoffice openvpn)
