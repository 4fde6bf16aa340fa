// The few pictures, drawn with lines. They say nothing that the words beside them do not.

const drawings = {
  key: 'M9.5 14.5a4.5 4.5 0 1 1 0-6.4 4.5 4.5 0 0 1 0 6.4ZM10.5 11.3H21v3.4M17 11.3v2.6',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5',
  people:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.500c.6-3.2 3.2-4.800 6.500-4.800s5.900 1.600 6.500 4.800M16 4.800a3.500 3.500 0 0 1 0 6.400M18 15.200c1.900.7 3.100 2.200 3.500 4.300',
  folder: 'M3.5 6.500h6l2 2.500h9v9.500h-17z',
  film: 'M3.500 5h17v14h-17zM10 9.200v5.600l5-2.800z',
  sound:
    'M9 17.500V6l10-2v11.500M9 17.500a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0ZM19 15.500a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0Z',
  file: 'M6 3.500h8l4.500 4.500v12.500H6zM14 3.500V8h4.500',
  list: 'M8.500 6.500H20M8.500 12H20M8.500 17.500H20M4 6.500h.2M4 12h.2M4 17.500h.2',
  house: 'M4 20V9.500L12 4l8 5.500V20zM10 20v-6h4v6',
  upload: 'M12 15.500V5M7.500 9.500 12 5l4.500 4.500M4.500 15v4.500h15V15',
  screen: 'M3.5 5h17v11h-17zM8.500 20h7M12 16v4',
  phone: 'M7.500 3h9v18h-9zM11 18h2',
  program: 'M5 7.500l4.500 4.500L5 16.500M12 17h7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  mail: 'M3.500 6h17v12h-17zM4 6.500l8 6.500 8-6.500',
  alert: 'M12 4 2.8 19.500h18.400zM12 10v4.500M12 17v.2',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  copy: 'M9 9h10v11H9zM5 15V4h10v2',
  check: 'M5 12.500 10 17.500 19.500 7',
} as const

export type IconName = keyof typeof drawings

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={drawings[name]} />
  </svg>
)

export const Brand = () => (
  <span class="brand">
    <Icon name="key" />
    Latchkey
  </span>
)
