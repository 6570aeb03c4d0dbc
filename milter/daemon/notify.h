/*
 * notify - tells systemd how we are (sd_notify(3), without its library)
 *
 * One datagram to the socket named by NOTIFY_SOCKET; where the variable is not
 * set nothing happens.
 */
#ifndef TOCSIN_DAEMON_NOTIFY_H
#define TOCSIN_DAEMON_NOTIFY_H

/* Remembers NOTIFY_SOCKET and takes it out of the environment, so that no
 * child speaks for us. */
void notify_begin(void);

/* Sends assignments separated by line breaks: "READY=1\nSTATUS=ready". */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
