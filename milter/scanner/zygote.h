/*
 * zygote - the small process from which scanner processes are forked
 *
 * Forking from a process with a gigabyte mapped costs 50-70 ms, from a small
 * one 0.2 ms. The zygote only receives requests for templates; a template
 * loads one generation's rules, then receives requests for workers. Neither
 * answers on the socket it is asked by: each request brings a socket for the
 * new process, whose end tells that it is gone.
 */
#ifndef TOCSIN_SCANNER_ZYGOTE_H
#define TOCSIN_SCANNER_ZYGOTE_H

/* Serves requests on `socket` until it closes; never returns. */
_Noreturn void zygote_run(int socket);

#endif
