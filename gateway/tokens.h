#pragma once

#include "base/error.h"
#include "base/slice.h"

/* The bearer tokens that open the public API.  Kept as hashes, compared in constant time. */
struct tokens;

#define TOKEN_MIN_LEN   16
#define TOKEN_MAX_LEN   512
#define TOKEN_MAX_COUNT 1000

/* Reads the text of a token file: one token per line; empty lines and lines that begin with '#' do not
 * count.  INVALID_ARGUMENT names the line; an empty file is one too. */
struct tokens *tokens_parse(struct slice text, struct error *err) MUST_CHECK;
void tokens_free(struct tokens *tokens);

/* Whether the value of an Authorization header is "Bearer" with one of the tokens. */
bool tokens_accept(const struct tokens *tokens, struct slice authorization);
