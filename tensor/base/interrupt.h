// Ctrl-C as a flag: long work looks at it between steps, saves what it has and leaves.
#pragma once

namespace arbg {

// From now on the first SIGINT or SIGTERM only sets the flag; a second one ends the program at
// once.
void catch_interrupts();

// From now on the first one ends the program at once again: for work that never looks at the flag.
void release_interrupts();
bool interrupted();

}  // namespace arbg
