/** Finds the position of the pointer on an element. */

/** From 0 at the left and upper edges to 1 at the right and lower ones. */
export function pointerIn(event: MouseEvent & { readonly currentTarget: HTMLElement }): {
  readonly across: number
  readonly down: number
} {
  const box = event.currentTarget.getBoundingClientRect()
  return {
    across: (event.clientX - box.left) / box.width,
    down: (event.clientY - box.top) / box.height,
  }
}
