//! What a user does with the program, from the outside; one file for each concern.

mod program;
