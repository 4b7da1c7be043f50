#include "subject.h"

#include <ctype.h>
#include <openssl/err.h>
#include <string.h>

/* OpenSSL checks the UTF-8 and X.520's bounds, and gives C and serialNumber the type PrintableString, the
 * others UTF8String. */
static bool add_entry(X509_NAME *name, int nid, const char *value)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

X509_NAME *subject_name_new(const struct registration *r)
{
    X509_NAME *name = X509_NAME_new();

    if (name != NULL && add_entry(name, NID_countryName, r->country) &&
        (r->organization[0] == '\0' || add_entry(name, NID_organizationName, r->organization)) &&
        add_entry(name, NID_commonName, r->common_name) &&
        add_entry(name, NID_serialNumber, r->registration_number))
        return name;
    ERR_clear_error();
    X509_NAME_free(name);
    return NULL;
}

bool subject_name_text(const X509_NAME *name, char *out, size_t size)
{
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = false;
    char *text = NULL;
    long len = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
        len = BIO_get_mem_data(bio, &text);
    if (len > 0 && (size_t)len < size) {
        memcpy(out, text, (size_t)len);
        out[len] = '\0';
        ok = true;
    }
    BIO_free(bio);
    return ok;
}

static bool all(const char *text, int (*test)(int), const char *also)
{
    for (; *text != '\0'; text++) {
        if (!test((unsigned char)*text) && strchr(also, *text) == NULL)
            return false;
    }
    return true;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           all(text, isalnum, "@.!#$%&'*+-/=?^_`{|}~");
}

static bool is_line(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c))
            return false;
    }
    return text[0] != '\0';
}

enum error_code subject_check(const struct registration *r, struct error *err)
{
    X509_NAME *name;

    if (!is_line(r->common_name))
        return error_set(err, ERROR_USAGE,
                         "The common name is missing or has control characters; give one line of text.");
    if (r->organization[0] != '\0' && !is_line(r->organization))
        return error_set(err, ERROR_USAGE, "The organization has control characters; give one line of text.");
    if (strlen(r->country) != 2 || !all(r->country, isupper, ""))
        return error_set(err, ERROR_USAGE,
                         "The country is not two capital letters of ISO 3166; give one such as TW.");
    if (!is_email(r->email))
        return error_set(err, ERROR_USAGE,
                         "The email is not an address in ASCII; give one such as name@example.org.");
    if (r->registration_number[0] == '\0' || !all(r->registration_number, isalnum, " '()+,-./:=?"))
        return error_set(err, ERROR_USAGE,
                         "The registration number is missing or not letters, digits and '()+,-./:=?.");
    name = subject_name_new(r);
    if (name == NULL)
        return error_set(err, ERROR_USAGE,
                         "The subject is not what X.520 allows; shorten it or write it in UTF-8.");
    X509_NAME_free(name);
    return ERROR_NONE;
}
