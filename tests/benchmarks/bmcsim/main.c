/* SPDX-FileCopyrightText: 2026 stage0.metal contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bmcsim: a farm of simulated IPMI 2.0 BMCs behind one UDP socket: the farm and its loop.
 */
#include "farm.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct bmc *farm;
u64 now;

void die(const char *what)
{
    perror(what);
    exit(1);
}

u32 bmc_address(u32 number) { return opt.base + (number - 1) / opt.per_net * 256 + (number - 1) % opt.per_net; }

static void build_farm(void)
{
    farm = calloc(opt.count, sizeof *farm);
    u32 *commands = calloc((size_t)opt.count * command_count(), sizeof *commands);
    if (!farm || !commands)
        die("calloc");
    for (u32 i = 0; i < opt.count; i++) {
        struct bmc *b = &farm[i];
        b->number = i + 1;
        b->power = !opt.start_off;
        b->events = 2;
        b->generation = random_number() & 0xffffff;
        b->dead = opt.dead_every && b->number % opt.dead_every == 0;
        b->badpass = opt.badpass_every && (b->number + 1) % opt.badpass_every == 0;
        b->commands = commands + (size_t)i * command_count();
        memcpy(b->guid, "bmcsim-guid", 12);
        for (int k = 0; k < 4; k++)
            b->guid[12 + k] = b->number >> (24 - 8 * k);
    }
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void serve_signals(int fd)
{
    struct signalfd_siginfo signal;
    while (read(fd, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGUSR2) {
            reset_statistics();
            continue;
        }
        if (opt.statistics)
            write_statistics(opt.statistics);
        if (!opt.quiet)
            write_summary(stdout);
        if (signal.ssi_signo != SIGUSR1) {
            if (opt.control)
                unlink(opt.control);
            exit(0);
        }
    }
}

static void listen_to(int loop, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event))
        die("epoll");
}

static void say_ready(void)
{
    char first[16], last[16];
    address_text(opt.base, first);
    address_text(bmc_address(opt.count), last);
    printf("bmcsim: %u BMCs, %s to %s, port %d\n", opt.count, first, last, opt.port);
    fflush(stdout);
}

static _Noreturn void run(int loop, int udp, int signals, int control)
{
    struct epoll_event events[3];
    struct timespec rest;
    for (u64 due;;) {
        int timed = next_due(&due);
        now = clock_ns();
        if (timed) {
            u64 left = due > now ? due - now : 0;
            rest = (struct timespec){left / 1000000000, left % 1000000000};
        }
        int ready = epoll_pwait2(loop, events, 3, timed ? &rest : NULL, NULL);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == udp)
                receive_all();
            else if (events[i].data.fd == control)
                serve_control(control);
            else
                serve_signals(signals);
        }
        send_due();
    }
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    seed_random(opt.seed);
    totals.since = clock_ns();
    index_commands();
    build_sensors();
    build_farm();
    int udp = open_socket(), signals = open_signals(), control = opt.control ? open_control() : -1;
    int loop = epoll_create1(EPOLL_CLOEXEC);
    listen_to(loop, udp);
    listen_to(loop, signals);
    if (control >= 0)
        listen_to(loop, control);
    if (!opt.quiet)
        say_ready();
    run(loop, udp, signals, control);
}
