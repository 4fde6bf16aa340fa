// The frame of pages outside the console: one narrow card under the name, the choice of language below.
import type { ComponentChildren } from 'preact'
import { Brand } from './icons'
import { LanguageChoice } from './language'

export const Entrance = ({ children }: { children: ComponentChildren }) => (
  <div class="entrance">
    <header>
      <Brand />
    </header>
    <main class="card" id="content">
      {children}
    </main>
    <footer>
      <LanguageChoice />
    </footer>
  </div>
)
