"""What must be survived. People and requests have their tests beside what they test:

a page that reads nothing     clusters/test_isolation.py::test_a_page_that_reads_nothing_…
a client that floods          clusters/test_live.py::test_a_flood_ends_its_socket_and_no_other,
                              ::test_rubbish_ends_the_socket; explorer/test_asked.py
a message of 32 MB            faults/test_frames.py: at both sockets, whole, in fragments, deflated
500 pages that come back      faults/test_reconnect.py (the load),
                              browser/test_reconnecting.py (the waits of the real script)
planted secrets               faults/test_planted_secrets.py: flows.py has the flows and markers
a rolling restart             mcm/test_rolling_restart.py (requests), operations/test_recover.py
                              (work), browser/test_outages.py (sockets)
a right that is taken away    clusters/test_live.py::test_a_revoked_grant_is_felt_at_once,
                              ::test_a_socket_ends_with_its_person; operations/test_run.py
what a role may see and do    test_permissions.py, explorer/test_random_grants.py
secrets in the admin          teams/test_admin_pages.py
bodies, headers, rates        mcm/test_guard.py, mcm/test_headers.py, teams/test_throttles.py
"""
