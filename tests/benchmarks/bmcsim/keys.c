/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: HMAC, users and their keys, random numbers.
 */
#include "farm.h"
#include <stdlib.h>
#include <string.h>

struct user users[USERS];
int user_count;
static u64 state;

void seed_random(u64 seed) { state = seed | 1; }

u64 random_number(void) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

double random_fraction(void) { return (random_number() >> 11) * (1.0 / 9007199254740992.0); }

void random_bytes(u8 *place, int length)
{
    while (length > 0) {
        u64 number = random_number();
        int some = length < 8 ? length : 8;
        memcpy(place, &number, some);
        place += some;
        length -= some;
    }
}

int digest_index(int algorithm) { return algorithm == BY_SHA256; }

void mac_init(struct mac_key *key, int algorithm, const u8 *secret, int length)
{
    u8 inner[64] = {0}, outer[64] = {0};
    memcpy(inner, secret, length);
    memcpy(outer, secret, length);
    for (int i = 0; i < 64; i++) {
        inner[i] ^= 0x36;
        outer[i] ^= 0x5c;
    }
    key->algorithm = algorithm;
    if (algorithm == BY_SHA1) {
        SHA1_Init(&key->inner.sha1);
        SHA1_Update(&key->inner.sha1, inner, 64);
        SHA1_Init(&key->outer.sha1);
        SHA1_Update(&key->outer.sha1, outer, 64);
    } else {
        SHA256_Init(&key->inner.sha256);
        SHA256_Update(&key->inner.sha256, inner, 64);
        SHA256_Init(&key->outer.sha256);
        SHA256_Update(&key->outer.sha256, outer, 64);
    }
}

int mac_sum(const struct mac_key *key, const u8 *data, int length, u8 sum[32])
{
    if (key->algorithm == BY_SHA1) {
        SHA_CTX context = key->inner.sha1;
        SHA1_Update(&context, data, length);
        SHA1_Final(sum, &context);
        context = key->outer.sha1;
        SHA1_Update(&context, sum, 20);
        SHA1_Final(sum, &context);
        return 20;
    }
    SHA256_CTX context = key->inner.sha256;
    SHA256_Update(&context, data, length);
    SHA256_Final(sum, &context);
    context = key->outer.sha256;
    SHA256_Update(&context, sum, 32);
    SHA256_Final(sum, &context);
    return 32;
}

int add_user(const char *specification) /* NAME:PASSWORD[:PRIVILEGE]; 0 if it is not one */
{
    char text[64], other[24];
    if (user_count == USERS || strlen(specification) >= sizeof text)
        return 0;
    strcpy(text, specification);
    char *name = strtok(text, ":"), *password = strtok(NULL, ":"), *privilege = strtok(NULL, ":");
    if (!name || !password || strlen(name) > 16 || strlen(password) > 20)
        return 0;
    struct user *user = &users[user_count++];
    strcpy(user->name, name);
    user->name_length = strlen(name);
    user->privilege = privilege ? atoi(privilege) : 4;
    snprintf(other, sizeof other, "%.18sx!", password);
    for (int i = 0; i < 2; i++) {
        mac_init(&user->good[i], i ? BY_SHA256 : BY_SHA1, (const u8 *)password, strlen(password));
        mac_init(&user->bad[i], i ? BY_SHA256 : BY_SHA1, (const u8 *)other, strlen(other));
    }
    return 1;
}
