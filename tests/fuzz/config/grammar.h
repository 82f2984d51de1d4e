#pragma once

#include "base/text.h"

/* Programs made by chance from a grammar: what changing bytes alone does not find, above all classes whose special
 * methods change the containers that an operation is at work on. */

/* Adds a whole program, or a statement with its line end.  The same seed gives the same text. */
void grammar_add_program(struct text *text, uint64_t seed);
void grammar_add_statement(struct text *text, uint64_t seed);
