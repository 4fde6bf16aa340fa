// The few pictures, drawn with lines. They say nothing that the words beside them do not.

const drawings = {
  key: 'M9.5 14.5a4.5 4.5 0 1 1 0-6.4 4.5 4.5 0 0 1 0 6.4ZM10.5 11.3H21v3.4M17 11.3v2.6',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5',
  screen: 'M3.5 5h17v11h-17zM8.5 20h7M12 16v4',
  phone: 'M7.5 3h9v18h-9zM11 18h2',
  program: 'M5 7.500l4.5 4.500L5 16.500M12 17h7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  mail: 'M3.5 6h17v12h-17zM4 6.500l8 6.5 8-6.5',
  alert: 'M12 4 2.8 19.500h18.400zM12 10v4.500M12 17v.2',
  copy: 'M9 9h10v11H9zM5 15V4h10v2',
  check: 'M5 12.5 10 17.5 19.5 7',
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
