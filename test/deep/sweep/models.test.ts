/** All models beside the project, in the reference and on the command line. */

import '../../cli/shared-models.test.ts'
import '../../formats/keras-shared.test.ts'
