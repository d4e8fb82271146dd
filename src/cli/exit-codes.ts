/** Exit codes of the commands; 0 says that all is well. */

/** The numbers differ. */
export const EXIT_DIFFERS = 1
/** No reading, or more than one, explains the numbers. */
export const EXIT_NOT_IDENTIFIED = 1
/** Bad usage, bad input, or output that cannot be written. */
export const EXIT_BAD = 2
