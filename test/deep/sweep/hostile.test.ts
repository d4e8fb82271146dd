/** Many broken files for the readers whose own tests feed them a few. */

import '../../bytes/hdf5.test.ts'
import '../../formats/keras.test.ts'
