"""What handlers may ask of a channel: one small port per business area.

Every method may raise `adapters.errors.ChannelError`. Methods that change something outside may raise
`OutcomeUnknown`; the caller then queries before any repeat. Any other error of such a method means: no effect.
"""
