/*
 * fetch_http - one document of a feed, over https into a file
 *
 * Reads:    an address, and what its server says
 * Produces: the bytes in an open file, and the headers that a feed needs
 *
 * The server is not trusted: a document is bounded in bytes and in time, one
 * that hardly moves is given up, redirects lead to https only, and the login,
 * the client's certificate and what is posted go to no other server than that
 * of the first address. Nothing of a document is held in memory.
 */
#ifndef TOCSIN_TOOL_FETCH_HTTP_H
#define TOCSIN_TOOL_FETCH_HTTP_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tool/fetch.h"

#define FETCH_HTTP_HEADER_MAX 1024

/* One transfer: where its bytes go and what its headers said. */
struct fetch_transfer {
	FILE *file;
	bool conditional; /* 304 is an answer */
	bool whole_time;  /* it may take all of the feed's time */
	uint64_t received, limit;
	bool too_large;
	long code;
	CURL *curl; /* set by fetch_http_get() */
	char etag[FETCH_HTTP_HEADER_MAX];
	char modified[FETCH_HTTP_HEADER_MAX];
	char added_last[FETCH_HTTP_HEADER_MAX]; /* X-TAXII-Date-Added-Last */
};

/* A feed's fetch at work. */
struct fetch {
	struct arena *arena;
	const struct fetch_request *request;
	struct fetch_result *result;
	CURL *curl;
	char *auth_header; /* a whole header line, or NULL */
	char *auth_user;   /* USER:PASSWORD, or NULL */
	char *body;        /* what is posted, or NULL */
	cJSON *state;
	char error[CURL_ERROR_SIZE];
	uint64_t left;   /* of the size limit */
	double deadline; /* of the monotonic clock */
	bool refused;    /* the server asks to be left alone for now */
	struct fetch_progress progress;
};

/* Reads what the request names beside the address and makes fetch->curl. The
 * caller ends with fetch_http_close() whatever it returns. */
enum tc_status fetch_http_open(struct fetch *fetch);

void fetch_http_close(struct fetch *fetch);

/* Gets one document into transfer->file. TC_OK for 200, and for 304 where that
 * was asked for; transfer->code tells which. TC_AGAIN when the feed's time is
 * over; TC_LIMIT when its size is. With any but TC_OK result->problem says
 * why. */
enum tc_status fetch_http_get(struct fetch *fetch, const char *url,
    struct fetch_transfer *transfer, const char *const *headers, size_t count);

/* Sets result->problem, `detail` in place of %s and safe to print; returns
 * status. */
enum tc_status fetch_http_fail(struct fetch *fetch, enum tc_status status,
    const char *format, const char *detail);

/* Reads a small regular file; NULL when it is none or too large. */
char *fetch_http_read(
    struct arena *arena, const char *path, size_t max, struct stat *info);

#endif
