"""mutations: all of them, in the order in which they are numbered.

Not among them, because they are equivalent: nothing that a program, its user or a token sees would change.

- policy_level() (policy.c) without its look at CKA_ALWAYS_AUTHENTICATE: policy_judge() has given such a key level high.
- One of the two looks at the peer's uid (workers.c, serve.c): the other one refuses. Both at once is "every user's
  connection counts as the agent's own".
- secret_protect_block() (secret.c) without sodium_mlock(): sodium_malloc() has called it; this one only asks whether it
  went well, and where no memory can be locked there is nothing to lock.
- assuan_memory_free() (assuan_memory.c) that leaves the block as it is: libassuan wipes the lines of a confidential
  conversation itself.
- login_hash() (login.c) without sodium_stackzero(): libsodium 1.0.18 wipes its block buffer itself.
- The look at the pidfd in is_same_process() (agent/peer.c) alone: a process that has ended has no memory either.
"""
import agent
import asking
import entry
import gate
import objects
import sessions

MUTATIONS = entry.MUTATIONS + gate.MUTATIONS + asking.MUTATIONS + objects.MUTATIONS + sessions.MUTATIONS + agent.MUTATIONS
