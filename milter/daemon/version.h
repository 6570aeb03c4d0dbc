/*
 * version - what this program is made of
 */
#ifndef TOCSIN_DAEMON_VERSION_H
#define TOCSIN_DAEMON_VERSION_H

/* Prints our version and those of the libraries in use, one a line. */
void version_print(void);

#endif
