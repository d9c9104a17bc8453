package app_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/report"
)

// contract is the OpenAPI document, against which every answer that a test
// gets is held.
var contract = sync.OnceValues(func() (validator.Validator, error) {
	text, err := api.New(api.Options{Version: "test", ReportTypes: report.Types()}).OpenAPI()
	if err != nil {
		return nil, err
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return v, nil
})

// keeps fails the test unless an answer is what the document says.
func keeps(t *testing.T, req *http.Request, res *http.Response, body []byte) {
	t.Helper()
	if !strings.HasPrefix(req.URL.Path, "/api/") || !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return
	}
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	again := *res
	again.Body = io.NopCloser(bytes.NewReader(body))
	if ok, errs := v.ValidateHttpResponse(req, &again); !ok {
		for _, e := range errs {
			if e.ValidationType == "path" { // a path that does not exist is what some tests try
				continue
			}
			t.Errorf("%s %s: the answer is not what the OpenAPI document says: %s: %s %v", req.Method, req.URL.Path, e.Message,
				e.Reason, e.SchemaValidationErrors)
		}
	}
}

// The document is valid OpenAPI 3.1, and has each route once.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s: %s %v", e.Message, e.Reason, e.SchemaValidationErrors)
		}
	}
	srv := api.New(api.Options{ReportTypes: report.Types()})
	text, err := srv.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	operations := 0
	ids := map[string]bool{}
	for _, item := range model.Model.Paths.PathItems.FromOldest() {
		for _, op := range item.GetOperations().FromOldest() {
			operations++
			if ids[op.OperationId] || op.Summary == "" {
				t.Errorf("operation %q is there twice, or says nothing", op.OperationId)
			}
			ids[op.OperationId] = true
		}
	}
	if n := len(srv.Routes()); operations != n || n < 60 {
		t.Errorf("the document has %d operations, the route table %d routes", operations, n)
	}
}
