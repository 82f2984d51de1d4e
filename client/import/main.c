#include "client/import_verb.h"

#include <signal.h>

int main(int argc, char **argv)
{
    static const struct verb verb = { IMPORT_VERB, .run = import_run };
    signal(SIGPIPE, SIG_IGN);
    return (int)verb_run(&verb, argc, argv);
}
