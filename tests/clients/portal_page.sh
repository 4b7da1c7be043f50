# portal_page.sh: the reference portal's page for client certificates, for browsers. Sourced after lib.sh and tls.sh.

# serve_page: a copy of the portal of the stage; $page is the page's URL.
serve_page() {
    cp -a "$stage/portal" portal
    "$PINWARD_BUILD/tests/portal/pinward-portal" --data portal/data --test-mode portal/test --port 0 --certificate-port 0 \
        --certificate-port-file page-port --exit-with-parent >portal.said 2>&1 &
    ends_with_us $!
    wait_for "the portal" test -s page-port
    page=https://localhost:$(cat page-port)/
}
