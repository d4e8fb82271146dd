/** Both engines at every size, and modules of every variant. */

import '../../runtime/wasm/engine.test.ts'
import '../../runtime/wasm/modules.test.ts'
import '../../runtime/wasm/recurrent.test.ts'
