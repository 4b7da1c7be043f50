/* The page that shows whose client certificate it was opened with: who is let in, and who is not. The
 * browser's part is curl's. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "story.h"

static struct fixture fixture;
static char page[64]; /* its URL */

static int set_up(void **state)
{
    char path[400];
    const char *const options[] = {"--certificate-port", "0", "--certificate-port-file", path, NULL};
    unsigned port = 0;
    FILE *file = NULL;

    (void)state;
    if (!fixture_start(&fixture, "certificate_page", NULL))
        return -1;
    snprintf(path, sizeof(path), "%s/certificate-port", fixture.dir);
    if (fixture_restart(&fixture, SIGTERM, options))
        file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%u", &port) != 1)
        port = 0;
    fclose(file);
    snprintf(page, sizeof(page), "https://localhost:%u/", port);
    return port == 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

/* Writes both to a file for curl. */
static void write_identity(X509 *certificate, EVP_PKEY *key, char path[400])
{
    FILE *file;

    snprintf(path, 400, "%s/identity.pem", fixture.dir);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

/* What is at this path for that identity (NULL: none); the status code is the last line. The result is
 * curl's. */
static int open_page(const char *method, const char *path, const char *identity,
                     char output[FIXTURE_OUTPUT_MAX])
{
    char url[128], root[400];
    const char *argv[] = {"/usr/bin/curl", "-sS", "--max-time",     "20", "--cacert", root,     "-X",
                          method,          "-w",  "\n%{http_code}", url,  "--cert",   identity, NULL};

    snprintf(root, sizeof(root), "%s/root.pem", fixture.data);
    snprintf(url, sizeof(url), "%s%s", page, path);
    if (identity == NULL)
        argv[11] = NULL;
    return fixture_run(output, argv);
}

static void expect_page(X509 *certificate, EVP_PKEY *key, const char *status, const char *text)
{
    char output[FIXTURE_OUTPUT_MAX], identity[400];

    if (certificate != NULL)
        write_identity(certificate, key, identity);
    assert_int_equal(open_page("GET", "", certificate == NULL ? NULL : identity, output), 0);
    if (strcmp(strrchr(output, '\n') + 1, status) != 0 || strstr(output, text) == NULL)
        fail_msg("expected %s and \"%s\": %s", status, text, output);
}

static void expect_signing(const struct user *u, const char *status, const char *text)
{
    X509 *certificate = base64_certificate(u->signing_certificate);

    expect_page(certificate, u->keys.signing_key, status, text);
    X509_free(certificate);
}

static int admin(const char *verb, const char *serial)
{
    const char *words[] = {verb, serial, NULL};

    return fixture_admin(&fixture, NULL, words);
}

static void an_active_certificate_is_named(void **state)
{
    char text[100];
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "page-active");
    /* As the fixture's subject is, with what HTML would take for its own in references. */
    assert_non_null(strstr(u.subject_dn, "O=Example \\\"Ltd\\\""));
    expect_signing(
        &u, "200",
        "<dd id=\"subject\">serialNumber=R-2026/1,CN=王小明\\, Jr.,O=Example \\&quot;Ltd\\&quot;,C=TW</dd>");
    expect_signing(&u, "200", "<dd id=\"account\">page-active</dd>");
    snprintf(text, sizeof(text), "<dd id=\"serial\">%s</dd>", u.signing_serial);
    expect_signing(&u, "200", text);
    user_clear(&u);
}

static void nobody_comes_in_without_one(void **state)
{
    (void)state;
    expect_page(NULL, NULL, "403", "has shown no certificate");
}

static void only_one_that_is_in_force(void **state)
{
    struct answer challenge;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "page-force");
    user_apply(&u);
    user_challenge(&u, &challenge);
    answer_clear(&challenge);
    expect_signing(&u, "403", "This certificate is issued");
    user_activate(&u);
    expect_signing(&u, "200", "Welcome");
    assert_int_equal(admin("suspend", u.signing_serial), 0);
    expect_signing(&u, "403", "This certificate is suspended");
    assert_int_equal(admin("resume", u.signing_serial), 0);
    expect_signing(&u, "200", "Welcome");
    fixture_set_clock(&fixture, 366 * STORY_DAY_S);
    expect_signing(&u, "403", "This certificate is expired");
    fixture_set_clock(&fixture, -STORY_DAY_S);
    expect_signing(&u, "403", "No access"); /* not yet valid */
    fixture_set_clock(&fixture, 0);
    assert_int_equal(admin("revoke", u.signing_serial), 0);
    expect_signing(&u, "403", "This certificate is revoked");
    user_clear(&u);
}

/* TLS itself ends the connection: such a key must not sign. */
static void the_encryption_certificate_is_none_for_this(void **state)
{
    char output[FIXTURE_OUTPUT_MAX], identity[400];
    const unsigned char *at;
    struct answer answer;
    X509 *certificate;
    char path[128];
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "page-encryption");
    story_path(path, "/certificates/*", u.encryption_serial);
    client_call(u.client, "GET", path, NULL, &answer);
    assert_status(&answer, 200);
    at = (const unsigned char *)answer.body;
    certificate = d2i_X509(NULL, &at, (long)answer.len);
    assert_non_null(certificate);
    write_identity(certificate, u.keys.encryption_key, identity);
    assert_int_not_equal(open_page("GET", "", identity, output), 0);
    X509_free(certificate);
    answer_clear(&answer);
    user_clear(&u);
}

/* The same names, number and validity, and another key: what nobody else may do is to issue it. */
static void one_of_another_issuer_is_not_taken(void **state)
{
    struct user u;
    X509 *forged;
    EVP_PKEY *key;

    (void)state;
    user_enroll(&fixture, &u, "page-forged");
    forged = base64_certificate(u.signing_certificate);
    key = enrollee_rsa(2048);
    assert_int_equal(X509_set_pubkey(forged, key), 1);
    assert_int_not_equal(X509_sign(forged, key, EVP_sha256()), 0);
    expect_page(forged, key, "403", "not one of this CA");
    X509_free(forged);
    EVP_PKEY_free(key);
    user_clear(&u);
}

static void there_is_one_page_and_it_is_read_only(void **state)
{
    char output[FIXTURE_OUTPUT_MAX];

    (void)state;
    assert_int_equal(open_page("GET", "api/v1/time", NULL, output), 0);
    assert_string_equal(strrchr(output, '\n') + 1, "404");
    assert_int_equal(open_page("POST", "", NULL, output), 0);
    assert_string_equal(strrchr(output, '\n') + 1, "405");
}

static void wrong_ports_are_refused(void **state)
{
    char port[16];
    const char *const wrong[] = {fixture_portal_program, "--data", fixture.data, "--port", "0",
                                 "--certificate-port",   "65536",  NULL};
    const char *const taken[] = {fixture_portal_program, "--data", fixture.data, "--port", "0",
                                 "--certificate-port",   port,     NULL};

    (void)state;
    snprintf(port, sizeof(port), "%u", fixture.port);
    assert_int_equal(fixture_run(NULL, wrong), 2);
    assert_int_equal(fixture_run(NULL, taken), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_active_certificate_is_named),
        cmocka_unit_test(nobody_comes_in_without_one),
        cmocka_unit_test(only_one_that_is_in_force),
        cmocka_unit_test(the_encryption_certificate_is_none_for_this),
        cmocka_unit_test(one_of_another_issuer_is_not_taken),
        cmocka_unit_test(there_is_one_page_and_it_is_read_only),
        cmocka_unit_test(wrong_ports_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
