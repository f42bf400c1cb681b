"""The running listener: joins receiver, writer, forwarders and hooks round one server.

listener     builds all of it, runs it, and ends it in order
bridge       between the server's event loop and the writer's thread
targets      who is to be told of which events
dispatch     makes the queued deliveries of one target, from the durable outbox
forwarding   a queued delivery that POSTs an event as it came; the CRM that answers a callstart
hooks        a queued delivery that starts a program
routes       the next step of a caller, within the time that a caller waits
ruling       who decides it: the override, the rules, or the fallback; and what is kept of it
switch       the override, as the file in the state directory says
watching     has rules read anew when their files change, and tells of overrides
rules_reload reads changed rules in a child process, so that no caller waits for a long list
"""
