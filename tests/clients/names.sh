# names.sh: what the stage and the clients agree on. Sourced.

token_label=Card
pin=240817
so_pin=58261940
password='Paper-kite-41-harbour'
signing_uri="pkcs11:token=$token_label;object=ming%20(signing);type=private"
encryption_uri="pkcs11:token=$token_label;object=ming%20(encryption);type=private"
