/** The memory that long inputs take, in every format of arrays and pages. */

import '../../cli/trace-memory.test.ts'
