/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: what each BMC saw, and changes while it runs.
 */
#include "farm.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void write_bmc(FILE *file, struct bmc *b)
{
    char text[16];
    int active, half_open;
    const u8 *flags = b->boot[5];
    settle_power(b);
    count_sessions(b, &active, &half_open);
    address_text(bmc_address(b->number), text);
    fprintf(file, "{\"bmc\":\"%s\",\"number\":%u,\"power\":\"%s\",\"identify\":%d,\"dead\":%d,\"badpass\":%d,", text,
            b->number, b->power ? "on" : "off", b->identify, b->dead, b->badpass);
    fprintf(file, "\"received\":%u,\"sent\":%u,\"lost\":%u,\"bad_packets\":%u,\"logins\":%u,\"proofs\":%u,\"refused\":%u,",
            b->n.received, b->n.sent, b->n.lost, b->n.bad_packets, b->n.logins, b->n.proofs, b->n.refused);
    fprintf(file, "\"open_now\":%d,\"half_open_now\":%d,\"power_commands\":%u,\"boot_flags\":\"%02x%02x%02x%02x%02x\",",
            active, half_open, b->n.power_commands, flags[0], flags[1], flags[2], flags[3], flags[4]);
    fputs("\"commands\":{", file);
    const char *comma = "";
    for (int i = 0; i < command_count(); i++)
        if (b->commands[i]) {
            fprintf(file, "%s\"%s\":%u", comma, command_name(i), b->commands[i]);
            comma = ",";
        }
    fputs("}}\n", file);
}

void write_statistics(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return;
    }
    now = clock_ns();
    for (u32 i = 0; i < opt.count; i++)
        write_bmc(file, &farm[i]);
    fclose(file);
}

void write_summary(FILE *file)
{
    struct rusage used;
    u64 logins = 0, refused = 0, bad_packets = 0;
    int open = 0, half_open = 0, active, half;
    now = clock_ns();
    getrusage(RUSAGE_SELF, &used);
    for (u32 i = 0; i < opt.count; i++) {
        logins += farm[i].n.logins;
        refused += farm[i].n.refused;
        bad_packets += farm[i].n.bad_packets;
        count_sessions(&farm[i], &active, &half);
        open += active;
        half_open += half;
    }
    fprintf(file, "{\"wall\":%.3f,\"user\":%ld.%06ld,\"system\":%ld.%06ld,\"memory_kb\":%ld,", (now - totals.since) / 1e9,
            (long)used.ru_utime.tv_sec, (long)used.ru_utime.tv_usec, (long)used.ru_stime.tv_sec,
            (long)used.ru_stime.tv_usec, used.ru_maxrss);
    fprintf(file, "\"received\":%ju,\"sent\":%ju,\"lost_in\":%ju,\"lost_out\":%ju,\"stray\":%ju,\"most_waiting\":%ju,",
            (uintmax_t)totals.received, (uintmax_t)totals.sent, (uintmax_t)totals.lost_in, (uintmax_t)totals.lost_out,
            (uintmax_t)totals.stray, (uintmax_t)totals.most_waiting);
    fprintf(file, "\"logins\":%ju,\"refused\":%ju,\"bad_packets\":%ju,\"open_now\":%d,\"half_open_now\":%d}\n",
            (uintmax_t)logins, (uintmax_t)refused, (uintmax_t)bad_packets, open, half_open);
    fflush(file);
}

void reset_statistics(void)
{
    u64 since = totals.since;
    memset(&totals, 0, sizeof totals);
    totals.since = since;
    for (u32 i = 0; i < opt.count; i++) {
        memset(&farm[i].n, 0, sizeof farm[i].n);
        memset(farm[i].commands, 0, command_count() * sizeof *farm[i].commands);
    }
}

int open_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(opt.control) >= sizeof address.sun_path)
        die("--control");
    strcpy(address.sun_path, opt.control);
    unlink(opt.control);
    if (bind(fd, (void *)&address, sizeof address))
        die("--control");
    return fd;
}

static int change_bmcs(const char *word, const char *which, const char *value) /* power N on, dead all 1 */
{
    u32 first = atoi(which), last = first;
    if (!strcmp(which, "all")) {
        first = 1;
        last = opt.count;
    }
    if (first < 1 || last > opt.count)
        return 0;
    for (u32 i = first - 1; i < last; i++) {
        if (!strcmp(word, "dead")) {
            farm[i].dead = atoi(value) != 0;
        } else {
            farm[i].power = !strcmp(value, "on");
            farm[i].power_at = 0;
        }
    }
    return 1;
}

static int change(const char *word, const char *first, const char *second)
{
    const struct { const char *word; double *place, factor; } numbers[] = {
        {"latency", &opt.latency_ms, 1}, {"jitter", &opt.jitter_ms, 1}, {"service", &opt.service_ms, 1},
        {"loss", &opt.loss, 0.01}};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(word, numbers[i].word)) {
            *numbers[i].place = atof(first) * numbers[i].factor;
            return 1;
        }
    if (!strcmp(word, "power") || !strcmp(word, "dead"))
        return change_bmcs(word, first, second);
    if (!strcmp(word, "statistics"))
        write_statistics(first);
    else if (!strcmp(word, "reset"))
        reset_statistics();
    else
        return 0;
    return 1;
}

void serve_control(int fd)
{
    char asked[256], word[32] = "", first[200] = "", second[32] = "", answer[700] = "ok\n";
    struct sockaddr_un asker;
    socklen_t length = sizeof asker;
    ssize_t got = recvfrom(fd, asked, sizeof asked - 1, 0, (void *)&asker, &length);
    if (got <= 0)
        return;
    asked[got] = 0;
    sscanf(asked, "%31s %199s %31s", word, first, second);
    if (!strcmp(word, "summary")) {
        FILE *file = fmemopen(answer, sizeof answer, "w");
        if (file) {
            write_summary(file);
            fclose(file);
        }
    } else if (!change(word, first, second)) {
        strcpy(answer, "error: no such command, or no such BMC\n");
    }
    if (length > sizeof(sa_family_t))
        sendto(fd, answer, strlen(answer), MSG_DONTWAIT, (void *)&asker, length);
}
