# nss.sh: databases of NSS in the current folder. Sourced after lib.sh.

# nss_database FOLDER [TRUST]: an empty one that trusts the stage's CA for TRUST.
nss_database() {
    mkdir "$1"
    certutil -N -d "sql:$1" --empty-password
    certutil -A -d "sql:$1" -n root -t "${2:-CT,C,C}" -i "$stage/root.pem"
}

# nss_module FOLDER: with Pinward's module, as a user adds it.
nss_module() { modutil -dbdir "sql:$1" -add Pinward -libfile "$module" -force; }
