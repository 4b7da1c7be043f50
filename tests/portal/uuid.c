#include "uuid.h"

#include <sodium.h>
#include <string.h>

void uuid_make(char out[UUID_SIZE])
{
    uint8_t bytes[16];
    char hex[33];
    size_t to = 0;

    randombytes_buf(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 10 */
    sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[to++] = '-';
        out[to++] = hex[i];
    }
    out[to] = '\0';
}
