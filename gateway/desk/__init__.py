"""The duty desk: takes alerts in, keeps their record, pages who is on duty, follows each until it is resolved.

How it hangs together: `intake` gathers what `broker` hears (or `port`, in one process with a gateway), commits it
through `store` and answers with receipts; `escalating` climbs the `ladders` of incidents and writes notifications;
`delivery` sends them; `watching` raises the alert of a gateway that fell quiet. What is decided stands in files without
I/O: `arrivals`, `folding`, `grouping`, `workflow`, `routing`, `ladders`, `delivering`, `orders`, `outcomes`, `doors`,
`media`. All state is rows. `web` and `page` are what people see of it.
"""
