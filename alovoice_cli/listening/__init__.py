"""The running listener: joins receiver, writer, forwarders and hooks around one server.

listener     builds all parts, runs them, and ends them in order
bridge       connects the server's event loop with the writer's thread
targets      the targets of events, from the words of options
dispatch     makes the queued deliveries of one target, from the durable outbox
forwarding   POSTs a queued event to a URL; asks a CRM for the answer to a callstart
hooks        starts a program for a queued event
routes       answers with the next step of a caller, within the time that a caller waits
ruling       decides the step: by the override, the rules, or the fallback; collects what is stored with it
switch       reads the override from its file in the state directory
watching     reads rules again when their files change, and reports overrides
rules_reload reads changed rules in a child process, so that no caller waits for a long list
"""
