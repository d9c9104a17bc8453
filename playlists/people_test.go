package playlists

import "testing"

// Who may see and change what, by role: read "r", write "w", nothing "-".
func TestPolicy(t *testing.T) {
	who := map[string]*Principal{
		"company admin":  {Owner: "viet-ads", Role: RoleAdmin},
		"company editor": {Owner: "viet-ads", Role: RoleEditor},
		"company viewer": {Owner: "viet-ads", Role: RoleViewer},
		"dept admin":     {Owner: Public, Role: RoleAdmin},
		"dept author":    {Owner: Public, Role: RoleAuthor},
		"dept approver":  {Owner: Public, Role: RoleApprover},
		"dept viewer":    {Owner: Public, Role: RoleViewer},
	}
	owners := []string{"viet-ads", "song-tra-ads", Public}
	for _, row := range []struct {
		kind Kind
		who  string
		want string // for viet-ads, song-tra-ads, public
	}{
		{KindSign, "company admin", "w--"}, {KindSign, "company editor", "r--"}, {KindSign, "company viewer", "r--"},
		{KindSign, "dept admin", "www"}, {KindSign, "dept author", "rrr"}, {KindSign, "dept approver", "rrr"},
		{KindSign, "dept viewer", "rrr"},
		{KindMessage, "company admin", "w-r"}, {KindMessage, "company editor", "w-r"}, {KindMessage, "company viewer", "r-r"},
		{KindMessage, "dept admin", "--w"}, {KindMessage, "dept author", "--w"}, {KindMessage, "dept approver", "--r"},
		{KindMessage, "dept viewer", "--r"},
		{KindPlaylist, "company editor", "w-r"}, {KindPlaylist, "dept admin", "--w"},
		{KindOwner, "company admin", "r--"}, {KindOwner, "dept admin", "www"}, {KindOwner, "dept viewer", "rrr"},
		{KindArea, "company viewer", "rrr"}, {KindArea, "company admin", "rrr"}, {KindArea, "dept admin", "www"},
		{KindArea, "dept author", "rrr"},
		{KindUser, "company admin", "w--"}, {KindUser, "company editor", "---"}, {KindUser, "dept admin", "www"},
		{KindUser, "dept author", "---"},
		{KindToken, "company admin", "w--"}, {KindToken, "dept viewer", "---"},
		{KindAudit, "company admin", "r--"}, {KindAudit, "company viewer", "---"}, {KindAudit, "dept admin", "--r"},
		{KindMedia, "company editor", "w-r"}, {KindMedia, "company viewer", "r-r"}, {KindMedia, "dept author", "--w"},
		{KindSchedule, "company editor", "w--"}, {KindSchedule, "company viewer", "r--"}, {KindSchedule, "dept admin", "--w"},
		{KindCampaign, "company admin", "rrr"}, {KindCampaign, "dept author", "www"}, {KindCampaign, "dept approver", "rrr"},
		{KindAgreement, "company admin", "w--"}, {KindAgreement, "company editor", "r--"},
		{KindAgreement, "dept admin", "rrw"}, {KindAgreement, "dept viewer", "rrr"},
		{KindAlert, "company admin", "---"}, {KindAlert, "dept author", "www"}, {KindAlert, "dept approver", "rrr"},
		{KindAlert, "dept viewer", "rrr"},
		{KindReport, "company viewer", "r--"}, {KindReport, "dept viewer", "rrr"},
		{Kind("unheard-of"), "dept admin", "---"},
	} {
		got := ""
		for _, owner := range owners {
			switch p := who[row.who]; {
			case p.MayWrite(row.kind, owner):
				got += "w"
			case p.MayRead(row.kind, owner):
				got += "r"
			default:
				got += "-"
			}
		}
		if got != row.want {
			t.Errorf("%s, %s: %s, want %s", row.who, row.kind, got, row.want)
		}
	}
}
