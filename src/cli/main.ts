#!/usr/bin/env node
/** The executable `gruv`. */

import { main } from './cli.ts'
import { EXIT_BAD } from './exit-codes.ts'
import { watchOutput } from './standard-output.ts'

process.exitCode = watchOutput() ? await main(process.argv.slice(2)) : EXIT_BAD
