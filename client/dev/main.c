#include "client/dev/dev.h"

int main(int argc, char **argv)
{
    static const struct verb verb = { DEV_VERB, .run = dev_run };
    return (int)verb_run(&verb, argc, argv);
}
