/*
 * check_settings - settings, lists and feeds of the parsed files
 */
#ifndef TOCSIN_LANGUAGE_CHECK_SETTINGS_H
#define TOCSIN_LANGUAGE_CHECK_SETTINGS_H

#include "language/scope.h"

/* Declares all lists by name, so that settings and rules can name them. */
void check_settings_lists(struct scope *scope, const struct ast_file *files);

/* Puts the values of { ... } into the list and reports those that can't be its
 * entries. */
void check_settings_fill_list(struct scope *scope, const struct ast_file *file,
    const struct ast_value *values, struct value_list *list);

/* Sets scope->program->settings from settings and blocks of all files, then
 * feeds and pins. */
void check_settings(struct scope *scope, const struct ast_file *files);

/* A path as written, relative to the file that names it; NULL without
 * memory. */
const char *check_settings_path(
    struct arena *arena, const struct ast_file *file, struct slice path);

#endif
