// What the browser keeps: for its next visit, or for the tab. Where it keeps nothing, a choice lasts as long as the page.

const createKept = (area: () => Storage) => ({
  read(key: string): string | null {
    try {
      return area().getItem(key)
    } catch {
      return null
    }
  },
  write(key: string, value: string | null): void {
    try {
      if (value === null) area().removeItem(key)
      else area().setItem(key, value)
    } catch {}
  },
})

export const kept = createKept(() => localStorage)
export const keptForTab = createKept(() => sessionStorage)
