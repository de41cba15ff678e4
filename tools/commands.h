/* commands.h - the subcommands: each parses its own arguments and returns an exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

int convert_main(int argc, char **argv);
int dis_main(int argc, char **argv);
int get_main(int argc, char **argv);
int predict_main(int argc, char **argv);
int show_main(int argc, char **argv);

#endif
