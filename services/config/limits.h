#pragma once

/* What one compilation may use.  A configuration that needs more ends in an error of the class
 * `limit_exceeded` that names the limit, except where Python has an exception for it. */
#ifndef LIMIT_STEPS                  /* the fuzzer has smaller ones of these */
#define LIMIT_STEPS        20000000  /* evaluated expressions, statements and template look-ups */
#define LIMIT_MEMORY_BYTES 160000000 /* of the arena; what is under way may go beyond */
#define LIMIT_STRING_BYTES 16000000  /* of one text */
#endif
#define LIMIT_STEPS_PER_JOB   1000     /* more of them for every job */
#define LIMIT_CALL_DEPTH      1000     /* nested calls: RecursionError, as in Python */
#define LIMIT_STACK_BYTES     6000000  /* of machine stack; RecursionError as well */
#define LIMIT_GENERATOR_STACK 262144   /* bytes of machine stack per running generator */
#define LIMIT_GENERATORS      200      /* that are started and not finished */
#define LIMIT_NESTING         100      /* brackets, blocks and operators inside each other */
#define LIMIT_SOURCE_BYTES    8000000  /* of one source file */
#define LIMIT_FILES           1000     /* source files in one request */
#define LIMIT_INCLUDE_DEPTH   50       /* include() inside include() */
#define LIMIT_INCLUDES        1000     /* executed include() calls */
#define LIMIT_ITEMS           2000000  /* of one list, tuple, dict or set */
#define LIMIT_WIDTH           1000000  /* of a value in a format, and of JSON's indentation */
#define LIMIT_PRECISION       1000     /* digits of a number in a format */
#define LIMIT_INTEGER_BITS    100000   /* of one whole number */
#define LIMIT_PRINTED_BYTES   1000000  /* written with print() */
#define LIMIT_JOBS            20000    /* in `jobs` */
#define LIMIT_ANSWER_BYTES    40000000 /* all jobs together */
#define LIMIT_TEMPLATE_PASSES 100      /* replacements in one text, as the reference has it */
#define LIMIT_SYNTAX_ERRORS   20       /* reported in one run */
#define LIMIT_REGEX_MATCHES   1000000  /* steps of one regular expression match */
#define LIMIT_VALUE_STACK     100000   /* local variables of all calls under way */
#define LIMIT_PARSER_DEPTH    800      /* expressions and blocks inside each other */
#define LIMIT_PARAMETERS      1000     /* of one function */
#define LIMIT_KEYWORDS        5000     /* of one call */
#define LIMIT_OPERATORS       4000     /* in one chain such as a + b + c */
#define LIMIT_CLASS_LINE      200      /* classes that one class derives from, all counted */
