# root.sh: a clean Debian of the machine's own release in the folder $root. Sourced by check.

# in_root COMMAND...: there, with its own processes and mounts, which end with the command.
in_root() {
    unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
}

# Debian's sources of this machine, a line each: wherever they are configured, that is where the packages come from.
sources() { apt-get indextargets 'Created-By: Packages' 'Origin: Debian' --format 'deb $(SITE) $(RELEASE) $(COMPONENT)'; }

# Says why not in its last line.
make_root() {
    local site release proxy
    rm -rf "$root"
    [ "$(id -u)" -eq 0 ] || { echo "only root can make a clean root" && return 1; }
    for tool in debootstrap unshare setpriv; do
        command -v $tool >/dev/null || { echo "there is no $tool" && return 1; }
    done
    read -r _ site release _ <<<"$(sources | sort -u -k3,3 | awk '$3 !~ /-/' | head -1)"
    [ -n "$release" ] || { echo "apt has no source of Debian's packages" && return 1; }
    proxy=$(apt-config shell it Acquire::http::Proxy) && eval "$proxy"
    http_proxy=${it:-${http_proxy:-}} timeout 400 debootstrap --variant=minbase "$release" "$root" "$site" \
        >"$root.log" 2>&1 || { echo "debootstrap does not work here: $(tail -1 "$root.log")" && return 1; }
    in_root true || { echo "a root of one's own cannot be entered here" && return 1; }
    sources >"$root/etc/apt/sources.list"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/short-lived"
    cp -r /etc/apt/apt.conf.d "$root/etc/apt/"
    in_root apt-get update >"$root.log" 2>&1 || { echo "apt cannot fetch there: $(tail -1 "$root.log")" && return 1; }
}
