#include "base/cleanup.h"
#include "client/verb.h"

/* The script is one function with the whole table written into it: completing starts no program. */

static void add_nouns(const struct verb *verbs, struct text *out)
{
    for (const struct verb *verb = verbs; verb->noun; verb++)
        if (verb == verbs || strcmp(verb->noun, verb[-1].noun) != 0)
            text_printf(out, "%s ", verb->noun);
    text_add(out, "help");
}

static void add_noun_cases(const struct verb *verbs, struct text *out)
{
    for (const struct verb *verb = verbs; verb->noun; verb++) {
        bool is_first = verb == verbs || strcmp(verb->noun, verb[-1].noun) != 0;
        bool is_last = !verb[1].noun || strcmp(verb->noun, verb[1].noun) != 0;
        if (!verb->name)
            continue;
        if (is_first)
            text_printf(out, "    %s) words='", verb->noun);
        text_printf(out, "%s%s", is_first ? "" : " ", verb->name);
        if (is_last)
            text_add(out, "' ;;\n");
    }
}

static void add_flag_names(const struct verb *verb, struct text *out)
{
    for (enum flag_id id = 0; id < FLAG_COUNT; id++)
        if ((verb->flags | F(HELP)) >> id & 1)
            text_printf(out, "%s--%s", id > 0 ? " " : "", flag_name(id));
}

static const char *kind_word(enum argument_kind kind)
{
    static const char *const words[] = { [ARGUMENT_NONE] = "none",
                                         [ARGUMENT_FREE] = "none",
                                         [ARGUMENT_FILE] = "file",
                                         [ARGUMENT_NOUN] = "noun" };
    return words[kind];
}

static void add_verb_cases(const struct verb *verbs, struct text *out)
{
    for (const struct verb *verb = verbs; verb->noun; verb++) {
        text_printf(out, "    '%s%s%s') flags='", verb->noun, verb->name ? " " : "",
                    verb->name ? verb->name : "");
        add_flag_names(verb, out);
        if (verb->max_arguments > 2)
            text_printf(out, "' rest=%s ;;\n", kind_word(verb->complete[0]));
        else
            text_printf(out, "' arguments=(%s %s) ;;\n", kind_word(verb->complete[0]),
                        kind_word(verb->complete[1]));
    }
}

static void add_value_cases(struct text *out)
{
    for (enum flag_id id = 0; id < FLAG_COUNT; id++) {
        if (!flag_name(id) || !flag_takes_value(id))
            continue;
        text_printf(out, "    --%s) ", flag_name(id));
        switch (flag_completes(id)) {
        case COMPLETE_CHOICE:
            text_printf(out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", flag_choices(id));
            break;
        case COMPLETE_FILE:
            text_add(out, "COMPREPLY=($(compgen -f -- \"$cur\"))");
            break;
        case COMPLETE_DIRECTORY:
            text_add(out, "COMPREPLY=($(compgen -d -- \"$cur\"))");
            break;
        case COMPLETE_NOTHING:
            text_add(out, "COMPREPLY=()");
            break;
        }
        text_add(out, "; return 0 ;;\n");
    }
}

/* Which flags consume the next word, so that arguments are counted right. */
static void add_taking_flags(struct text *out)
{
    for (enum flag_id id = 0, count = 0; id < FLAG_COUNT; id++)
        if (flag_takes_value(id))
            text_printf(out, "%s--%s", count++ > 0 ? "|" : "", flag_name(id));
}

void completion_add_bash(const struct verb *verbs, struct text *out)
{
    text_add(out, "# bash completion of eos; made by \"eos completion bash\".\n"
                  "_eos() {\n"
                  "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                  "  local words='' flags='' arguments=() rest=none plain=() i from=1 command\n"
                  "  COMPREPLY=()\n"
                  "  [[ ${COMP_WORDS[1]} == help ]] && from=2\n"
                  "  if ((COMP_CWORD == from)); then\n    COMPREPLY=($(compgen -W '");
    add_nouns(verbs, out);
    text_add(out, "' -- \"$cur\"))\n    return 0\n  fi\n"
                  "  command=${COMP_WORDS[from]}\n  case $command in\n");
    add_noun_cases(verbs, out);
    text_add(out, "  esac\n"
                  "  if [[ $words ]]; then\n"
                  "    if ((COMP_CWORD == from + 1)); then\n"
                  "      COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n      return 0\n"
                  "    fi\n    command+=\" ${COMP_WORDS[from + 1]}\"\n    ((from++))\n  fi\n"
                  "  [[ ${COMP_WORDS[1]} == help ]] && return 0\n"
                  "  case $prev in\n");
    add_value_cases(out);
    text_add(out, "  esac\n  case $command in\n");
    add_verb_cases(verbs, out);
    text_add(out, "  esac\n"
                  "  if [[ $cur == -* ]]; then\n"
                  "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n    return 0\n  fi\n"
                  "  for ((i = from + 1; i < COMP_CWORD; i++)); do\n"
                  "    case ${COMP_WORDS[i]} in\n    ");
    add_taking_flags(out);
    text_add(out, ") ((i++)) ;;\n    -*) ;;\n    *) plain+=(x) ;;\n    esac\n  done\n"
                  "  case ${arguments[${#plain[@]}]-$rest} in\n"
                  "  file) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
                  "  esac\n  return 0\n}\n"
                  "complete -o filenames -F _eos eos\n");
}
