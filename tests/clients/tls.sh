# tls.sh: TLS servers on loopback that require a certificate of the stage's CA. Sourced after lib.sh.

# server_certificate: server.pem and server.key for localhost and 127.0.0.1; clients trust server.pem. client-cas.pem:
# what the server accepts; leaf-and-chain.pem: what a client shows.
server_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext extendedKeyUsage=serverAuth 2>/dev/null
    cat "$stage/root.pem" "$stage/chain.pem" >client-cas.pem
    cat "$stage/signing.pem" "$stage/chain.pem" >leaf-and-chain.pem
}

# serve_tls: openssl's own server, its page shows the client's certificate. $tls_port is its port.
serve_tls() {
    timeout 120 openssl s_server -accept 127.0.0.1:0 -www -Verify 3 -verify_return_error -CAfile client-cas.pem -cert server.pem -key server.key \
        >server.said 2>&1 &
    ends_with_us $!
    wait_for "the TLS server" grep -q ^ACCEPT server.said
    tls_port=$(sed -n 's/^ACCEPT .*://p' server.said | head -1)
}

# wait_for "what" COMMAND...: until it succeeds; $patience_s at most.
patience_s=10
wait_for() {
    local what=$1 end=$((SECONDS + patience_s))
    shift
    while ! "$@" 2>/dev/null; do
        if [ $SECONDS -gt $end ]; then
            fail "$what did not come up"
            finish
        fi
        sleep 0.05
    done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# own_network: the script again in a network namespace of its own, for a server that cannot be told to listen on loopback
# only. Fails where this machine allows none. Call it first.
own_network() {
    [ -z "${PINWARD_OWN_NETWORK:-}" ] || return 0
    unshare --user --map-root-user --net true 2>/dev/null || return 1
    PINWARD_OWN_NETWORK=yes exec unshare --user --map-root-user --net sh -c 'ip link set lo up && exec "$0"' "$0"
}
