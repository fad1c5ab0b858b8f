/*
 * helper_left.h - what a test makes outside of its process goes away with it,
 * however it ends: when the process that told of a path is gone, also by
 * SIGKILL, a watcher ends the daemons and collectors that have the path in
 * their arguments, and removes it, with the rings of the units that are
 * configured in its state/. Much of it lies in memory (/dev/shm), which nobody
 * else gives back.
 */
#ifndef HELPER_LEFT_H
#define HELPER_LEFT_H

/* helper_left(path) - a file, or a folder with all in it, made by this test
 * alone; absolute, no line feed in it. Removing it earlier is harmless. */
void helper_left(const char *path);

#endif
