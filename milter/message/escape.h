/*
 * escape - what the escapes of scripts, styles and URLs stand for
 *
 * Browsers undo them before they act on a string, so what is written with them
 * is looked for as it is meant. Linear time; nothing is evaluated: variables,
 * calls and arithmetic stay as they are.
 */
#ifndef TOCSIN_MESSAGE_ESCAPE_H
#define TOCSIN_MESSAGE_ESCAPE_H

#include "base/arena.h"

/* A script (JavaScript, JSON, VBScript, PowerShell, batch) with \/, \xHH,
 * \uHHHH, \u{H} and octal escapes of ASCII undone, strings that '+', '&' or
 * '_' join as one, and without the '^' of batch files. `script` itself where
 * nothing is to be undone; NULL data at the arena's ceiling. */
struct slice escape_undo_script(struct arena *arena, struct slice script);

/* Whether a script undoes percent signs in what it holds. */
bool escape_script_undoes_percent(struct slice script);

/* A style sheet with its escapes undone (CSS Syntax 3, 4.3.7); ditto. */
struct slice escape_undo_style(struct arena *arena, struct slice style);

/* Text without percent signs before two hexadecimal digits; `text` itself
 * where there are none or at the arena's ceiling. */
struct slice escape_undo_percent(struct arena *arena, struct slice text);

#endif
