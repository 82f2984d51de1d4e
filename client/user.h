#pragma once

/* Who runs this command, by the rules of Python's getpass.getuser(); borrowed. */
const char *user_name(void);
